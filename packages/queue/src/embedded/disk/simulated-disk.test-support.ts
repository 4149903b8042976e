/**
 * A disk in memory that knows what is synced. At a power failure, of what is not, anything may be there or missing: each
 * write by itself, a part of it, or zeros in its place; each entry of a folder by itself.
 */
import { basename, dirname } from 'node:path';
import type { FileSystem, StoreFile } from './file-system.js';

/** What becomes of something that is not synced. */
export type Fate = 'lost' | 'kept' | 'torn' | 'zeros';

interface Pending {
  apply(content: Uint8Array, fate: Fate, fraction: () => number): Uint8Array;
}

interface Inode {
  live: Uint8Array;
  synced: Uint8Array;
  pending: Pending[];
}

type EntryChange = { readonly name: string; readonly node: Inode | undefined };

interface Folder {
  readonly live: Map<string, Inode>;
  readonly synced: Map<string, Inode>;
  pending: EntryChange[];
  /** Whether its own entry is synced in the folder above. */
  isSynced: boolean;
}

export interface PowerFailure {
  fate(): Fate;
  /** From 0 to 1: how much of a torn write is there. */
  fraction(): number;
}

export const LOSES_ALL: PowerFailure = { fate: () => 'lost', fraction: () => 0 };
export const KEEPS_ALL: PowerFailure = { fate: () => 'kept', fraction: () => 1 };

/** One that decides each time anew; the same for the same seed. */
export function randomFailure(seed: number): PowerFailure {
  let state = seed * 2654435761 + 1;
  const fraction = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
  const fates: readonly Fate[] = ['lost', 'kept', 'torn', 'zeros'];
  return { fraction, fate: () => fates[Math.floor(fraction() * 4)] as Fate };
}

function put(content: Uint8Array, bytes: Uint8Array, position: number): Uint8Array {
  const result = new Uint8Array(Math.max(content.length, position + bytes.length));
  result.set(content);
  result.set(bytes, position);
  return result;
}

function resized(content: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(content.subarray(0, size));
  return result;
}

function writing(bytes: Uint8Array, position: number): Pending {
  return {
    apply(content, fate, fraction) {
      if (fate === 'lost') return content;
      if (fate === 'kept') return put(content, bytes, position);
      const part = put(content, bytes.subarray(0, Math.floor(bytes.length * fraction())), position);
      return fate === 'torn' ? part : resized(part, Math.max(part.length, position + bytes.length));
    },
  };
}

function truncating(size: number): Pending {
  return { apply: (content, fate) => (fate === 'kept' ? resized(content, size) : content) };
}

export class SimulatedDisk implements FileSystem {
  readonly #folders = new Map<string, Folder>();
  /** Octets that may still be written. */
  room = Number.POSITIVE_INFINITY;
  /** What `freeOctets` reports. */
  free = Number.POSITIVE_INFINITY;

  constructor(...folders: readonly string[]) {
    for (const folder of folders) this.#folders.set(folder, emptyFolder(true));
  }

  /** The disk as it is found afterwards. This one stays as it was. */
  afterPowerFailure({ fate, fraction }: PowerFailure): SimulatedDisk {
    const disk = new SimulatedDisk();
    const survivors = new Map<Inode, Inode>();
    const survivor = (node: Inode): Inode => {
      const known = survivors.get(node);
      if (known !== undefined) return known;
      const content = node.pending.reduce(
        (before, each) => each.apply(before, fate(), fraction),
        node.synced,
      );
      const found = { live: content, synced: content, pending: [] };
      survivors.set(node, found);
      return found;
    };
    for (const [path, folder] of this.#folders) {
      if (!folder.isSynced && fate() === 'lost') continue;
      const entries = new Map(folder.synced);
      for (const { name, node } of folder.pending) {
        if (fate() === 'lost') continue;
        if (node === undefined) entries.delete(name);
        else entries.set(name, node);
      }
      const found = emptyFolder(true);
      for (const [name, node] of entries) {
        found.live.set(name, survivor(node));
        found.synced.set(name, survivor(node));
      }
      disk.#folders.set(path, found);
    }
    return disk;
  }

  async makeFolder(path: string): Promise<void> {
    if (!this.#folders.has(path)) this.#folders.set(path, emptyFolder(false));
  }

  async list(path: string): Promise<readonly string[]> {
    return [...this.#folder(path).live.keys()];
  }

  async create(path: string): Promise<StoreFile> {
    const folder = this.#folder(dirname(path));
    const name = basename(path);
    if (folder.live.has(name)) throw systemError('EEXIST', path);
    const node: Inode = { live: new Uint8Array(0), synced: new Uint8Array(0), pending: [] };
    folder.live.set(name, node);
    folder.pending.push({ name, node });
    return this.#file(node);
  }

  createSynced(path: string): Promise<StoreFile> {
    return this.create(path);
  }

  async open(path: string): Promise<StoreFile> {
    const node = this.#folder(dirname(path)).live.get(basename(path));
    if (node === undefined) throw systemError('ENOENT', path);
    return this.#file(node);
  }

  async remove(path: string): Promise<void> {
    const folder = this.#folder(dirname(path));
    const name = basename(path);
    if (!folder.live.delete(name)) throw systemError('ENOENT', path);
    folder.pending.push({ name, node: undefined });
  }

  async freeOctets(): Promise<number> {
    return this.free;
  }

  async syncFolder(path: string): Promise<void> {
    const folder = this.#folder(path);
    folder.synced.clear();
    for (const [name, node] of folder.live) folder.synced.set(name, node);
    folder.pending = [];
    for (const [below, each] of this.#folders) if (dirname(below) === path) each.isSynced = true;
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(path);
    if (folder === undefined) throw systemError('ENOENT', path);
    return folder;
  }

  #file(node: Inode): StoreFile {
    const change = (pending: Pending) => {
      node.pending.push(pending);
      node.live = pending.apply(node.live, 'kept', () => 1);
    };
    return {
      write: async (bytes, position) => {
        const written = Uint8Array.from(bytes.subarray(0, Math.min(bytes.length, this.room)));
        this.room -= written.length;
        change(writing(written, position));
        if (written.length < bytes.length) throw systemError('ENOSPC', 'write');
      },
      async writeSynced(bytes, position) {
        await this.write(bytes, position);
        await this.sync();
      },
      read: async (position, length) => node.live.slice(position, position + length),
      size: async () => node.live.length,
      truncate: async (size) => change(truncating(size)),
      sync: async () => {
        node.synced = node.live;
        node.pending = [];
      },
      close: async () => {},
    };
  }
}

function emptyFolder(isSynced: boolean): Folder {
  return { live: new Map(), synced: new Map(), pending: [], isSynced };
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
