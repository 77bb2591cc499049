/** What we may ask of Docker, what each feature needs, and what is missing. */
export { probePermission } from './probe.ts';
export {
  type Feature,
  featureRow,
  type PermissionName,
  permissionNames,
  permissions,
} from './table.ts';
export { permissionDetail, watchPermissions } from './watch.ts';
