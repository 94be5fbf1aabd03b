//! Asks before an order that can't be taken back.

import { h } from '../ui/dom';

/** Whether the operator says yes. Escape and the other button say no. */
export function confirm(title: string, detail: string, yes: string): Promise<boolean> {
  return new Promise((answer) => {
    const box = h('dialog', { class: 'dialog', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-detail' },
      h('h2', { id: 'confirm-title' }, title),
      h('p', { id: 'confirm-detail' }, detail),
      h('div', { class: 'actions' },
        h('button', { class: 'button', type: 'button', onclick: () => box.close() }, 'Leave it'),
        h('button', { class: 'button primary', type: 'button', id: 'confirm-yes', onclick: () => box.close('yes') }, yes)));
    box.addEventListener('close', () => {
      box.remove();
      answer(box.returnValue === 'yes');
    });
    document.body.append(box);
    box.showModal();
  });
}
