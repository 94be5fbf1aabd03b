//! What the API tells of markets, as its document says: `GET /chains/{chain}/markets`, `/markets/{id}`, and the event `market` of
//! its stream.

import type { Schemas } from '../api/types';

export type Market = Schemas['MarketView'];
export type Outcome = Schemas['OutcomeView'];
/** What the classifier read in the bulletin. */
export type Answer = Schemas['MarketAnswer'];
