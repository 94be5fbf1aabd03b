//! What the API tells of guarded vaults, as its document says: `GET /chains/{chain}/guards/{vault}`, `…/incidents`, and the events
//! `guard` and `incident` of its stream.

import type { Schemas } from '../api/types';

export type Guard = Schemas['GuardView'];
/** A flagged withdrawal. */
export type Incident = Schemas['IncidentView'];
/** A number that the model reads of an account, with how it is spread over the training's accounts. */
export type Feature = Schemas['Feature'];
