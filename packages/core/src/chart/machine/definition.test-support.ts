/** The XState machine of a chart: the specification that its table is compared with. */
import { type AnyStateMachine, assign, setup } from 'xstate';
import { type BuiltInAction, type MachineShape, shapeOf } from './machine-shape.js';

/** @param definition what `createMachine` of `definition.ts` gave */
export function xstateMachineOf(definition: Readonly<Record<keyof MachineShape, unknown>>): AnyStateMachine {
  const { config, implementations } = shapeOf(definition);
  const { actions, guards, delays } = implementations;
  const vocabulary = {
    actions: Object.fromEntries(
      Object.entries(actions).map(([name, action]) => [
        name,
        isAssign(action) ? assign(action.assignment as never) : action,
      ]),
    ),
    guards,
    delays,
  };
  return setup(vocabulary as never).createMachine(config as never) as unknown as AnyStateMachine;
}

function isAssign(action: unknown): action is BuiltInAction {
  return typeof action === 'function' && 'type' in action && action.type === 'xstate.assign';
}
