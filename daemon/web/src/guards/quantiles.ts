//! Where a value lies in a population of which only quantiles are known.

/** A population's value below which the share `q` of it lies. */
export interface Quantile {
  q: number;
  value: number;
}

/**
 * The share of the population at or below `value`, 0 to 1: linear between two quantiles, flat beyond them. `null` without
 * quantiles.
 */
export function shareBelow(quantiles: readonly Quantile[], value: number): number | null {
  const sorted = [...quantiles].sort((a, b) => a.q - b.q);
  const first = sorted[0];
  if (first === undefined) return null;
  if (value < first.value) return first.q;
  let below = first;
  for (const next of sorted) {
    if (next.value > value) {
      const span = next.value - below.value;
      return span === 0 ? next.q : below.q + ((next.q - below.q) * (value - below.value)) / span;
    }
    below = next;
  }
  return below.q;
}

/** The population's value at the share `q`, linear between the quantiles that are known. */
export function valueAt(quantiles: readonly Quantile[], q: number): number | null {
  const sorted = [...quantiles].sort((a, b) => a.q - b.q);
  let below = sorted[0];
  if (below === undefined) return null;
  for (const next of sorted) {
    if (next.q >= q) {
      const span = next.q - below.q;
      return span === 0 ? next.value : below.value + ((next.value - below.value) * (q - below.q)) / span;
    }
    below = next;
  }
  return below.value;
}

/**
 * A place on an axis from 0 to 1 for counts and amounts, which spread over many powers of ten: linear below 1, logarithmic above.
 */
export function place(value: number, least: number, most: number): number {
  const at = (x: number) => Math.sign(x) * Math.log1p(Math.abs(x));
  const span = at(most) - at(least);
  return span === 0 ? 0.5 : Math.min(1, Math.max(0, (at(value) - at(least)) / span));
}
