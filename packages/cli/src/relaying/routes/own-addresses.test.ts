import { describe, expect, it } from 'vitest';
import { ownAddresses } from './own-addresses.js';

const interfaces = ['127.0.0.1', '::1', '192.0.2.1'];

describe('the addresses at which an exchanger would be this host', () => {
  it.each(['0.0.0.0', '::'])('are all of the machine, where it listens at all (%s)', (host) => {
    const own = ownAddresses({ host, port: 25, mxPort: 25 }, interfaces);
    expect(own).toEqual(['0.0.0.0', '::', ...interfaces]);
  });

  it('are the one where it listens', () => {
    expect(ownAddresses({ host: '192.0.2.1', port: 25, mxPort: 25 }, interfaces)).toEqual(['192.0.2.1']);
  });

  it('are none, where it listens at another port than exchangers', () => {
    expect(ownAddresses({ host: '0.0.0.0', port: 2525, mxPort: 25 }, interfaces)).toEqual([]);
  });

  it('are addresses that a mailer takes', () => {
    const own = ownAddresses({ host: '0.0.0.0', port: 25, mxPort: 25 });
    expect(own).toContain('127.0.0.1');
  });
});
