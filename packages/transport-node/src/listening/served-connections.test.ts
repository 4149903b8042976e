import type { ServerConnection } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { NOWHERE, ServedConnections } from './served-connections.js';

const connection = (name: string) => ({ name }) as unknown as ServerConnection;

function add(connections: ServedConnections, name: string) {
  const served = { connection: connection(name), place: NOWHERE };
  connections.add(served);
  return served;
}

describe('the connections that are served', () => {
  it('are those that were added and not deleted, whichever goes first', () => {
    const connections = new ServedConnections();
    const expected = new Set<ServerConnection>();
    const served = Array.from({ length: 50 }, (_, index) => add(connections, String(index)));
    for (const each of served) expected.add(each.connection);
    // 7 and 50 have no divisor in common, so each goes once.
    for (let index = 0; index < served.length; index += 1) {
      const gone = served[(index * 7) % served.length];
      if (gone === undefined) throw new Error('There is no such place');
      connections.delete(gone);
      connections.delete(gone);
      expected.delete(gone.connection);
      expect(connections.size).toBe(expected.size);
      expect(new Set(connections)).toEqual(expected);
      expect(connections.has(gone.connection)).toBe(false);
    }
  });

  it('are a set to be read', () => {
    const connections = new ServedConnections();
    const one = add(connections, 'one').connection;
    const told: unknown[] = [];
    connections.forEach((...given) => {
      told.push(given);
    });
    expect(told).toEqual([[one, one, connections]]);
    expect([...connections.keys()]).toEqual([one]);
    expect([...connections.entries()]).toEqual([[one, one]]);
    expect(connections.has(one)).toBe(true);
  });

  it('may end while somebody goes through them', () => {
    const connections = new ServedConnections();
    const served = [add(connections, 'one'), add(connections, 'other')];
    const seen: ServerConnection[] = [];
    for (const each of connections) {
      seen.push(each);
      const gone = served.find((other) => other.connection === each);
      if (gone !== undefined) connections.delete(gone);
    }
    expect(seen).toEqual(served.map((each) => each.connection));
    expect(connections.size).toBe(0);
  });
});
