//! What the operator's part of the API tells, as its document says.

import type { Schemas } from '../api/types';

export type Status = Schemas['Status'];
export type Endpoint = Schemas['EndpointView'];
export type Job = Schemas['JobView'];
export type JobDetail = Schemas['JobDetail'];
export type Tx = Schemas['TxView'];
export type Key = Schemas['KeyView'];
export type Worker = Schemas['WorkerView'];
export type Model = Schemas['LoadedModel'];
export type Alert = Schemas['AlertView'];
/** One series of those that `/metrics` gives. */
export type Metric = Schemas['Series'];
