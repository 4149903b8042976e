/** `node timed-transactions.js MODULE`: prints the processor's seconds that mail transactions take with the core in this file. */
import { pathToFileURL } from 'node:url';
import { transactionsPerSecond } from './in-process.js';

const [file = ''] = process.argv.slice(2);
const { ServerSession } = (await import(pathToFileURL(file).href)) as typeof import('@sansmtp/core');
transactionsPerSecond(30_000, ServerSession);
const { user, system } = process.cpuUsage();
transactionsPerSecond(100_000, ServerSession);
const after = process.cpuUsage();
console.log((after.user - user + after.system - system) / 1e6);
