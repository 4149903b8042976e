/** `HOST:PORT`, as the argument of `probe` names a server. */
import { InvalidArgumentError } from 'commander';
import { host, port } from '../option-values.js';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** @throws {InvalidArgumentError} it is none */
export function serverAddress(text: string): ServerAddress {
  const colon = text.lastIndexOf(':');
  const hostText = text.slice(0, colon);
  if (colon < 1 || (hostText.includes(':') && !hostText.startsWith('['))) {
    throw new InvalidArgumentError('Give a host and a port, such as localhost:25 or [::1]:25.');
  }
  return { host: host(hostText), port: port(text.slice(colon + 1)) };
}
