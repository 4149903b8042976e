/**
 * The addresses of a relay that is given by name, to be raced like those of a mail exchanger. They are looked up for each
 * session: they may change while a mailer lives.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '@sansmtp/transport';
import { ConnectError } from '@sansmtp/transport-node';
import { checkAddresses } from '../routing/checked-answer.js';
import type { MailResolver } from '../routing/mail-resolver.js';
import { settledOrAborted } from '../signals/settled-or-aborted.js';
import type { Endpoint } from './endpoint.js';

/** Asks for the addresses of a host, the best first; throws an error with the system's `code` where there are none. */
export type AddressLookUp = (host: string, signal: AbortSignal | undefined) => Promise<readonly string[]>;

/** As the system does it: by its file of hosts, DNS, and whatever else it is set up for. */
export const systemLookUp: AddressLookUp = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

export function lookUpBy(resolver: MailResolver): AddressLookUp {
  return async (host, signal) => {
    const answer = checkAddresses(await resolver.resolveAddresses(host, signal));
    if (answer.kind === 'temporary') throw Object.assign(new Error(answer.problem), { code: 'EAI_AGAIN' });
    if (answer.kind === 'found' && answer.records.length > 0) return answer.records;
    throw Object.assign(new Error('there is no such host'), { code: 'ENOTFOUND' });
  };
}

/**
 * The endpoint once for each address of its host; the endpoint itself where there is nothing to look up.
 * @throws {ConnectError} the host has no address, or none became known in the time to connect
 * @throws the signal's reason once it is aborted
 */
export async function withAddresses(
  endpoint: Endpoint,
  lookUp: AddressLookUp | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<readonly Endpoint[]> {
  if (lookUp === undefined || 'path' in endpoint || isIP(endpoint.address) !== 0) return [endpoint];
  const { address: host, port, connectTimeout } = endpoint;
  let cancelTimer: () => void = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancelTimer = clock.set(clock.now() + connectTimeout, () =>
      reject(Object.assign(new Error(`no address in ${connectTimeout} ms`), { code: 'ETIMEDOUT' })),
    );
  });
  try {
    const addresses = await settledOrAborted(Promise.race([lookUp(host, signal), tooLate]), signal);
    return addresses.map((address) => ({ ...endpoint, address }));
  } catch (error) {
    if (signal?.aborted || !(error instanceof Error)) throw error;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    throw new ConnectError(`Cannot connect to ${host}:${port}: ${error.message}`, code, { cause: error });
  } finally {
    cancelTimer();
  }
}
