import { describe, expect, it } from 'vitest';
import { addressesOf, isPrivateAddress } from './private-network.js';

describe('isPrivateAddress', () => {
  it.each(['127.0.0.1', '127.8.8.8', '10.1.2.3', '172.31.0.1', '192.168.0.9', '169.254.1.1'])(
    '%s',
    (address) => {
      expect(isPrivateAddress(address)).toBe(true);
    },
  );

  it.each(['::1', 'fd12::1', 'fe80::1%eth0', '::ffff:10.0.0.1'])('%s', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(['192.0.2.1', '172.32.0.1', '8.8.8.8', '2001:db8::1', '::ffff:8.8.8.8', '0.0.0.0', 'localhost'])(
    'not %s',
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
});

describe('addressesOf', () => {
  it('drops what is not private, unless told not to', async () => {
    expect(await addressesOf('192.0.2.1', { everywhere: false })).toEqual([]);
    expect(await addressesOf('192.0.2.1', { everywhere: true })).toEqual(['192.0.2.1']);
    expect(await addressesOf('127.0.0.1', { everywhere: false })).toEqual(['127.0.0.1']);
  });
});
