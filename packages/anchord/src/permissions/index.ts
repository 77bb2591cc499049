/** What we may ask of Docker, what each feature needs, and what is missing. */
export { askForPermissions } from './ask.ts';
export { probePermission } from './probe.ts';
export {
  type Feature,
  featureRow,
  type PermissionName,
  permissionNames,
  permissions,
  switchesOf,
} from './table.ts';
export { permissionDetail, watchPermissions } from './watch.ts';
