/** The client chart as a table. */

import { shapeOf } from '../chart/machine/machine-shape.js';
import { compileWhenEntered } from '../chart/table/compile.js';
import type { ClientChartInput, ClientContext } from './chart/chart-context.js';
import type { ClientChartEvent } from './chart/chart-events.js';
import { clientMachine } from './chart.js';

export const clientTable = compileWhenEntered<ClientContext, ClientChartEvent, ClientChartInput>(
  shapeOf(clientMachine),
);
