//! Numbers, money and times for people.

/** Wei as coin: four significant decimals, no trailing zeros, `0` for nothing. */
export function coin(wei: bigint | string): string {
  const value = BigInt(wei);
  if (value === 0n) return '0';
  const sign = value < 0n ? '−' : '';
  const size = value < 0n ? -value : value;
  const whole = size / 10n ** 18n;
  const digits = (size % 10n ** 18n).toString().padStart(18, '0');
  if (whole === 0n && /^0{6}/.test(digits)) return `${sign}< 0.000001`;
  const first = digits.search(/[1-9]/);
  const kept = digits.slice(0, whole > 0n ? 4 : Math.min(18, Math.max(4, first + 4))).replace(/0+$/, '');
  return `${sign}${count(whole)}${kept === '' ? '' : `.${kept}`}`;
}

/** A whole number with thin spaces between thousands. */
export function count(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** A duration in milliseconds: `340 ms`, `4.2 s`, `2 min 5 s`, `3 h 10 min`, `2 d`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return s % 60 === 0 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 2880) return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Seconds as a chess clock: `4:05`, `1:04:05`. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  const two = (n: number) => n.toString().padStart(2, '0');
  if (s >= 86_400) return s % 86_400 < 3600 ? `${Math.floor(s / 86_400)} d` : `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** A hash or address in short, with its ends. */
export function short(hex: string): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 8)}…${hex.slice(-4)}`;
}

/** A point in time (Unix milliseconds) in the visitor's own zone. */
export function time(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** A day and time (Unix milliseconds) in the visitor's own zone. */
export function dateTime(ms: number): string {
  return new Date(ms).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The same for tables, without the year. */
export function stamp(ms: number): string {
  return new Date(ms).toLocaleString([], { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
}
