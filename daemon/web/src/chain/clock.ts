//! What time it is on the chain: deadlines are judged by its blocks' time, and a local chain's may be ahead of this
//! machine's. A block in the past says nothing, as it may be long ago that there was one.

let aheadS = 0;

/** Takes note of a block's time, in Unix seconds. */
export function saw(timestamp: number): void {
  aheadS = Math.max(aheadS, timestamp - Date.now() / 1000);
}

/** Now by the chain's clock, in Unix seconds, as well as it is known. */
export function chainTime(): number {
  return Date.now() / 1000 + aheadS;
}
