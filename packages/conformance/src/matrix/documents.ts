/** What `npm run conformance` writes for people: docs/conformance.md, and the matrix in HTML. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serverGroups } from '../cases/index.js';
import type { Verdict } from '../contract/outcome.js';
import { matrixDocument, type StoredClient } from './markdown.js';
import { type Cell, matrixHtml } from './matrix-html.js';
import { cellsOf, readResults } from './results.js';

const inPackage = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const DOCUMENT = inPackage('../../docs/conformance.md');

export function readClients(): readonly StoredClient[] {
  try {
    const text = readFileSync(inPackage('results/clients.json'), 'utf8');
    return (JSON.parse(text) as { readonly clients: readonly StoredClient[] }).clients;
  } catch {
    return [];
  }
}

export const documentOfResults = (): string => matrixDocument(readResults(), readClients());

/** All servers with what is stored of them, and with the verdicts of this run, which have their dialogues, in its place. */
function columnsOf(judged: ReadonlyMap<string, readonly Verdict[]>): ReadonlyMap<string, readonly Cell[]> {
  return new Map(
    readResults().map((server) => {
      const cells = new Map(cellsOf(server).map((cell) => [cell.id, cell]));
      for (const verdict of judged.get(server.name) ?? []) cells.set(verdict.id, verdict);
      return [server.name, [...cells.values()]];
    }),
  );
}

/** @param judged the verdicts of this run by servers; without any, the page in HTML stays as it is */
export function writeDocuments(judged: ReadonlyMap<string, readonly Verdict[]>): void {
  writeFileSync(DOCUMENT, documentOfResults());
  if (judged.size === 0) return;
  writeFileSync(inPackage('results/matrix.html'), matrixHtml(serverGroups, columnsOf(judged)));
}
