//! What the operator's part of the API tells, as its document says.

import type { components } from '../api/schema';

/** The daemon writes every field, `null` where there is nothing; the document calls those that may be `null` optional. */
type Whole<T> = T extends readonly (infer I)[] ? Whole<I>[] : T extends object ? { [K in keyof T]-?: Whole<Exclude<T[K], undefined>> } : T;

type Schemas = Whole<components['schemas']>;

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
