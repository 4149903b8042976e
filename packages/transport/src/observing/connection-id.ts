/**
 * Names for connections: unique among all processes for as long as anybody keeps logs, short enough to be read aloud,
 * and no secret.
 */
const process = Math.random().toString(36).slice(2, 10);
let count = 0;

export function connectionId(): string {
  count += 1;
  return `${process}-${count.toString(36)}`;
}
