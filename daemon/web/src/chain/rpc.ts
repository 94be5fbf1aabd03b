//! Asking a node or a wallet by JSON-RPC, and what their errors mean.

import { decodeErrorResult, type Abi, type EIP1193Provider } from 'viem';
import type { Hex } from '../api/types';

/** Sends one request; throws `RpcError` or `Unreachable`. */
export type Ask = (method: string, params: unknown[]) => Promise<unknown>;

/** The node or wallet answered with an error. */
export class RpcError extends Error {
  constructor(readonly code: number | null, message: string, readonly data: unknown) {
    super(message);
  }
}

/** Nothing answered. */
export class Unreachable extends Error {}

/** A contract refused a call, by an error of its own. */
export class Refused extends Error {
  constructor(readonly error: string, readonly args: readonly unknown[]) {
    super(error);
  }
}

let turn = 0;

/** A node at an address. */
export function node(url: string): Ask {
  return async (method, params) => {
    turn += 1;
    let answer: { result?: unknown; error?: { code?: number; message?: string; data?: unknown } };
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: turn, method, params }),
      });
      answer = await response.json();
    } catch (error) {
      throw new Unreachable(error instanceof Error ? error.message : String(error));
    }
    if (answer.error !== undefined) throw new RpcError(answer.error.code ?? null, answer.error.message ?? 'error', answer.error.data);
    return answer.result;
  };
}

/** A wallet of the browser. */
export function inWallet(provider: EIP1193Provider): Ask {
  const request = provider.request as (call: { method: string; params: unknown[] }) => Promise<unknown>;
  return async (method, params) => {
    try {
      return await request({ method, params });
    } catch (error) {
      const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown };
      throw new RpcError(typeof code === 'number' ? code : null, typeof message === 'string' ? message : String(error), data);
    }
  };
}

/** What a call reverted with, wherever the node or wallet put it; null if this is no revert. */
export function revertData(error: unknown): Hex | null {
  if (!(error instanceof RpcError)) return null;
  let at: unknown = error.data;
  for (let depth = 0; depth < 4; depth += 1) {
    if (typeof at === 'string') {
      const hex = at.match(/0x(?:[0-9a-fA-F]{2})*/);
      return hex === null ? null : (hex[0] as Hex);
    }
    if (typeof at !== 'object' || at === null) break;
    const { data, originalError } = at as { data?: unknown; originalError?: { data?: unknown } };
    at = data ?? originalError?.data;
  }
  return error.code === 3 || /revert/i.test(error.message) ? '0x' : null;
}

/** The contract's refusal in an error, if it is one; else the error as it came. */
export function refusal(error: unknown, abi: Abi): unknown {
  const data = revertData(error);
  if (data === null) return error;
  if (data === '0x') return new Refused('', []);
  try {
    const { errorName, args } = decodeErrorResult({ abi, data });
    return new Refused(errorName, (args ?? []) as readonly unknown[]);
  } catch {
    return new Refused(data.slice(0, 10), []);
  }
}
