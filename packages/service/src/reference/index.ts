/** Pages of reference made from the tables that the programs run on. For scripts; no program loads it. */
export type { PackageReference, SettingsPage, Titled } from './package-reference.ts';
export type { ReferencePages } from './pages.ts';
export { referencePages } from './pages.ts';
