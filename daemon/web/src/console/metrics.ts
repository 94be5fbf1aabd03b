//! The daemon's metrics: the very numbers that `/metrics` gives to Prometheus.

import type { Metric } from './types';

/** All series of one reading. */
export class Metrics {
  constructor(readonly series: readonly Metric[]) {}

  /** The sum of a metric over all series with these labels; `null` if there is none. */
  sum(name: string, labels: Record<string, string> = {}): number | null {
    const found = this.series.filter((metric) => metric.name === name && Object.entries(labels).every(([key, value]) => metric.labels[key] === value));
    return found.length === 0 ? null : found.reduce((sum, metric) => sum + (metric.value ?? 0), 0);
  }

  /** The values that a label has in a metric. */
  labels(name: string, label: string): string[] {
    return [...new Set(this.series.filter((metric) => metric.name === name).map((metric) => metric.labels[label] ?? ''))].sort();
  }

  /** Mean of a histogram; `null` if nothing was recorded. */
  mean(name: string, labels: Record<string, string> = {}): number | null {
    const [sum, count] = [this.sum(`${name}_sum`, labels), this.sum(`${name}_count`, labels)];
    return sum === null || count === null || count === 0 ? null : sum / count;
  }
}
