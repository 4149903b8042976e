/** What `npm run conformance` writes for people: docs/conformance.md, and the matrix in HTML. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serverGroups } from '../cases/index.js';
import type { Verdict } from '../contract/outcome.js';
import { matrixDocument, type StoredClient } from './markdown.js';
import { matrixHtml } from './matrix-html.js';
import { readResults } from './results.js';

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

/** @param columns each server's verdicts with all dialogues; without any, the page in HTML stays as it is */
export function writeDocuments(columns: ReadonlyMap<string, readonly Verdict[]>): void {
  writeFileSync(DOCUMENT, documentOfResults());
  if (columns.size === 0) return;
  writeFileSync(inPackage('results/matrix.html'), matrixHtml(serverGroups, columns));
}
