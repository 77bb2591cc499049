/** Spans of time as the configuration writes them; a bare number would leave the unit open, so only 0 is one. */
import { duration } from '@berth/service/config';

export const hours = (count: number): number => count * 3_600_000;
export const minutes = (count: number): number => count * 60_000;
export const seconds = (count: number): number => count * 1000;
export const span = duration({ range: 'non-negative', bareSeconds: false });
export const positiveSpan = duration({ range: 'positive', bareSeconds: false });
