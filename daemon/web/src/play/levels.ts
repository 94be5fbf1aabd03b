//! Levels: the models that are offered, with what was measured of them, and the terms that can be had.

import type { Model, Offer } from '../api/types';
import { count, duration } from '../ui/format';

/** A model with its open offers. */
export interface Level {
  modelId: string;
  name: string;
  model: Model | null;
  offers: Offer[];
}

/** What models are called here. Others go by their own name. */
const NAMES: Record<string, string> = { 'chess-s': 'Small', 'chess-m': 'Medium', 'chess-l': 'Large' };

/** A model's name for people. */
export function levelName(model: Model | null, modelId: string): string {
  if (model === null) return `Model ${modelId.slice(0, 8)}`;
  return NAMES[model.name] ?? model.name;
}

/** Offers that can be taken now, by model, the weakest first. */
export function levels(offers: Offer[], models: Model[]): Level[] {
  const found = new Map<string, Level>();
  for (const offer of offers) {
    if (!offer.open || !offer.served || offer.running >= offer.max_games) continue;
    const model = models.find((m) => m.model_id.toLowerCase() === offer.model_id.toLowerCase()) ?? null;
    const level = found.get(offer.model_id) ?? { modelId: offer.model_id, name: levelName(model, offer.model_id), model, offers: [] };
    level.offers.push(offer);
    found.set(offer.model_id, level);
  }
  const strength = (level: Level) => level.model?.elo ?? level.model?.macs ?? 0;
  return [...found.values()].sort((a, b) => strength(a) - strength(b));
}

/** What was measured of a model, in a few words each. */
export function measured(model: Model | null): [string, string][] {
  if (model === null) return [];
  const facts: [string, string][] = [];
  if (model.elo !== null) facts.push(['Elo', `${Math.round(model.elo)}`]);
  if (model.prove_s !== null) facts.push(['proof', duration(model.prove_s * 1000)]);
  if (model.gas !== null) facts.push(['gas', count(model.gas)]);
  return facts;
}
