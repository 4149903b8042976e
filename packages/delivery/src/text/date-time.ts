/** RFC 5322 §3.3. Its zone "GMT", which JavaScript writes, is obsolete (§4.3); the rest of the format is its own. */
export function dateTime(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
