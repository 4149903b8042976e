/** What the kit knows of Node: its clock, and whether something that is no timer is under way. */
import { systemClock } from '@sansmtp/transport-node';
import type { Host } from '../time/kit-time.js';

/** Requests that come to an end by themselves, unlike sockets, servers and timers. */
const REQUEST = /Req|Job|WriteWrap|ConnectWrap|ShutdownWrap|Promise/;

/** @param connections how many stand over real sockets: on them something may come at any time */
export function nodeHost(connections: () => number): Host {
  return {
    clock: systemClock,
    isBusy: () => connections() > 0 || process.getActiveResourcesInfo().some((kind) => REQUEST.test(kind)),
  };
}
