import { describe, expect, it } from 'vitest';
import { leaseEvents } from './events.ts';
import { cellFor, type LeaseState, leaseStates } from './table.ts';
import { tablePage } from './table-page.ts';

/** The destinations as the contract has them; '' is refused (or, for anything but a request, ignored). */
const contract = `
event               | provisioning   | ready          | failing        | failed         | restarting     | updating       | deprovisioning | unknown
ProvisionRequested  |                |                | provisioning   | provisioning   |                |                |                |
ProvisionCompleted  | ready          |                |                |                |                |                |                |
ProvisionErrored    | failed         |                |                |                |                |                |                |
ContainerDied       |                | failing        |                |                |                |                |                |
DiagGathered        |                |                | failed         |                |                |                |                |
RestartRequested    |                | restarting     | restarting     | restarting     |                |                |                |
UpdateRequested     |                | updating       | updating       | updating       |                |                |                |
RestoreRequested    | restarting     |                |                |                |                |                |                |
ReplaceCompleted    |                |                |                |                | ready          | ready          |                |
ReplaceRecovered    |                |                |                |                | ready          | ready          |                |
ReplaceFailed       |                |                |                |                | failed         | failed         |                |
DeprovisionRequested| deprovisioning | deprovisioning | deprovisioning | deprovisioning | deprovisioning | deprovisioning | deprovisioning | deprovisioning
`;

const [head = [], ...rows] = contract
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the lease machine', () => {
  it('goes where the contract says', () => {
    expect(rows).toHaveLength(12);
    for (const [event = '', ...cells] of rows) {
      for (const [index, expected] of cells.entries()) {
        const state = head[index + 1] as LeaseState;
        const cell = cellFor(state, leaseEvents.find((name) => name === event)!);
        expect(typeof cell === 'string' ? '' : cell.to, `${state} + ${event}`).toBe(expected);
      }
    }
  });

  it('owes the caller exactly one callback wherever the contract has one, as the last thing', () => {
    const telling = leaseStates.flatMap((state) =>
      leaseEvents.filter((event) => {
        const cell = cellFor(state, event);
        const tells = typeof cell === 'string' ? [] : cell.does.filter((action) => action === 'tell');
        if (typeof cell !== 'string' && tells.length > 0) expect(cell.does.at(-1)).toBe('tell');
        expect(tells.length).toBeLessThanOrEqual(1);
        return tells.length === 1;
      }),
    );
    expect(new Set(telling)).toEqual(
      new Set([
        'ProvisionCompleted',
        'ProvisionErrored',
        'DiagGathered',
        'ReplaceCompleted',
        'ReplaceRecovered',
        'ReplaceFailed',
        'DeprovisionCompleted',
        'DeprovisionExhausted',
      ]),
    );
  });

  it('stops the work that is under way before it starts other work', () => {
    const working: readonly LeaseState[] = ['provisioning', 'failing', 'restarting', 'updating'];
    for (const state of working) {
      for (const event of leaseEvents) {
        const cell = cellFor(state, event);
        if (typeof cell === 'string' || !cell.does.includes('startWork') || event === 'RestoreRequested')
          continue;
        expect(cell.does.indexOf('stopWork'), `${state} + ${event}`).toBeGreaterThanOrEqual(0);
        expect(cell.does.indexOf('stopWork')).toBeLessThan(cell.does.indexOf('startWork'));
      }
    }
  });

  it('is what the reference shows', async () => {
    await expect(tablePage()).toMatchFileSnapshot('../../../../docs/reference/lease-machine.md');
  });
});
