/** `send --host NAME --dns SERVER`: the addresses of the host are asked of that server, not of the system. */
import { createResolver, type OpenStream } from '@sansmtp/delivery';
import { ConnectError, connect } from '@sansmtp/transport-node';

/** @param server a DNS server, `ADDRESS:PORT` */
export function connectByDns(server: string): OpenStream {
  const resolver = createResolver({ server });
  return async (endpoint, tls, signal) => {
    const common = { ...(tls && { tls }), ...(signal && { signal }), timeout: endpoint.connectTimeout };
    if ('path' in endpoint) return connect({ path: endpoint.path, ...common });
    const { address: name, port } = endpoint;
    const answer = await resolver.resolveAddresses(name, signal);
    if (answer.kind === 'temporary') {
      throw new ConnectError(`Cannot connect to ${name}: ${answer.problem}`, 'EAI_AGAIN');
    }
    const addresses = answer.kind === 'found' ? answer.records : [];
    let failure = new ConnectError(`Cannot connect to ${name}: there is no such host`, 'ENOTFOUND');
    for (const host of addresses) {
      try {
        return await connect({ host, port, ...common });
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        failure = error;
      }
    }
    throw failure;
  };
}
