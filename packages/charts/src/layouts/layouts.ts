/** The layouts that are shipped: made by `npm run charts`, and held to the charts by a test. */
import type { Layout } from '../whole/layout.js';
import { clientLayout } from './client.js';
import { serverLayout } from './server.js';

/** Undefined where none was made. */
export function shippedLayout(id: string): Layout | undefined {
  if (id === 'server') return serverLayout;
  return id === 'client' ? clientLayout : undefined;
}
