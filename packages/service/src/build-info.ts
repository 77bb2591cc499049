/** Which build this is. The bundler puts the value in; sources that run as they are have none. */
declare const BERTH_BUILD: BuildInfo | undefined;

export interface BuildInfo {
  readonly version: string;
  readonly commit: string;
}

export const buildInfo: BuildInfo =
  typeof BERTH_BUILD === 'undefined' ? { version: 'unknown', commit: 'unknown' } : BERTH_BUILD;
