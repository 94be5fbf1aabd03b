//! Amounts of an asset, and values of features.

import { coin, count } from '../ui/format';
import type { Feature, Guard, Incident } from './types';

/** An amount in the asset's smallest unit, as people read it. */
export function amount(guard: Pick<Guard, 'decimals' | 'symbol'>, value: string): string {
  const whole = guard.decimals <= 18 ? BigInt(value) * 10n ** BigInt(18 - guard.decimals) : BigInt(value) / 10n ** BigInt(guard.decimals - 18);
  return `${coin(whole)} ${guard.symbol}`;
}

/** A feature's value: whole numbers in full, others to four digits. */
export function featureValue({ value }: Pick<Feature, 'value'>): string {
  if (!Number.isFinite(value)) return '–';
  return Number.isInteger(value) ? count(value) : Number(value.toPrecision(4)).toString();
}

const VERDICTS: Record<string, [string, string]> = {
  pending: ['accent', 'Being judged'],
  released: ['good', 'Released'],
  held: ['bad', 'Held'],
  waits: ['warn', 'Waits'],
  claimed: ['', 'Paid out'],
};

/** What became of an incident, for its mark: paid out, or how it was judged. */
export function standingOf(incident: Incident): 'pending' | 'released' | 'held' | 'waits' | 'claimed' {
  return incident.state === 'claimed' ? 'claimed' : incident.verdict;
}

/** Look and words of a standing. */
export function verdictWords(standing: string): [look: string, words: string] {
  return VERDICTS[standing] ?? ['', standing];
}
