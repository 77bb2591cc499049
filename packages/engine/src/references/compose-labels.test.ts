import { expect, it } from 'vitest';
import { composeLabels, composeMembership } from './compose-labels.ts';

it("tells a Compose container's place in its project", () => {
  const labels = {
    [composeLabels.project]: 'shop',
    [composeLabels.service]: 'web',
    [composeLabels.containerNumber]: '2',
    [composeLabels.oneOff]: 'False',
  };
  expect(composeMembership(labels)).toEqual({
    project: 'shop',
    service: 'web',
    containerNumber: 2,
    oneOff: false,
  });
  expect(composeMembership({ ...labels, [composeLabels.oneOff]: 'True' })).toMatchObject({ oneOff: true });
});

it('leaves open what the labels do not say', () => {
  expect(composeMembership({})).toBeUndefined();
  expect(composeMembership({ [composeLabels.service]: 'web', [composeLabels.project]: '' })).toBeUndefined();
  expect(
    composeMembership({ [composeLabels.project]: 'shop', [composeLabels.containerNumber]: 'x' }),
  ).toEqual({
    project: 'shop',
    service: undefined,
    containerNumber: undefined,
    oneOff: false,
  });
});
