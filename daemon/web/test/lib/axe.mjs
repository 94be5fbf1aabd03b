// Accessibility by axe-core.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Impacts that fail a test. */
const BAD = ['serious', 'critical'];

/**
 * Fails if axe-core finds a serious violation in the page as it is now. The script goes in by the debugger: the page's policy
 * lets no other in.
 * @param {import('playwright-core').Page} page
 */
export async function checkAccessible(page) {
  await page.evaluate(source);
  const found = await page.evaluate(async () => {
    const { violations, passes } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return {
      passes: passes.length,
      violations: violations.map(({ id, impact, help, nodes }) => ({
        id,
        impact,
        help,
        where: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
      })),
    };
  });
  if (found.passes === 0) throw new Error('axe-core looked at nothing');
  const bad = found.violations.filter((violation) => BAD.includes(violation.impact));
  if (bad.length > 0) {
    const lines = bad.map(({ id, impact, help, where }) => `${impact} ${id}: ${help}\n  ${where.join('\n  ')}`);
    throw new Error(`axe-core found:\n${lines.join('\n')}`);
  }
}
