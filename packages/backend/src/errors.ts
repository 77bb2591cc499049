import { ErrorTable } from '@berth/service';

/** Every error of the backend that has a name. The words that go over the wire are in `api/`, keyed by these codes. */
export const errors = new ErrorTable({
  validation: {
    title: 'The request breaks a rule',
    remedy: 'Change the request as the message says; repeating it unchanged cannot succeed.',
  },
  unknown_sku: {
    title: 'An item names a SKU that this backend does not offer',
    remedy: 'Add the SKU to sku_mapping or sku_profiles, or route the lease to a backend that offers it.',
  },
  invalid_manifest: {
    title: 'The tenant manifest breaks a rule',
    remedy: 'Correct the field that the message names; docs/reference/manifest.schema.json has the rules.',
  },
  image_not_allowed: {
    title: 'An image comes from a registry that is not on the list',
    remedy: 'Use an image of an allowed registry, or add the registry to allowed_registries.',
  },
  not_provisioned: {
    title: 'No live lease of that id',
    remedy: 'Provision the lease first.',
  },
  already_provisioned: {
    title: 'The lease exists already',
    remedy: 'Nothing to do; deprovision it first if a new one is meant.',
  },
  invalid_state: {
    title: 'The lease is in a state that does not allow the operation',
    remedy: 'Wait until the running operation has called back, then repeat.',
  },
  insufficient_resources: {
    title: 'The pool or the quota of the tenant has no room for the lease',
    remedy: 'Wait for a lease to be closed, raise the totals, or route the lease to another backend.',
  },
  not_retained: {
    title: 'No retained data of that lease for this tenant',
    remedy: 'Check the id of the closed lease; data is kept for retention_max_age at most.',
  },
  demote_exceeds_tier: {
    title: 'Kept data does not fit into the smaller volumes that a restore asks for',
    remedy: 'Restore onto a SKU with at least as much disk as the message says is used.',
  },
  import_damaged: {
    title: 'A store file of an earlier program cannot be read',
    remedy:
      'Stop that program first and name the folder of its files; take the copy of a backup if a file is damaged.',
  },
  backup_failed: {
    title: 'The stores could not be copied',
    remedy: 'Check the paths and the space in the folder of the backup; repeat it when less is going on.',
  },
  legacy_containers: {
    title: 'There are containers of a form from before there were stacks',
    remedy: 'Let the version that made them migrate or close their leases first, then start this one.',
  },
  image_unreadable: {
    title: 'What an image says of itself cannot be used',
    remedy: 'Correct the image, or name a user by number in the manifest.',
  },
  name_taken: {
    title: 'A container of the name that we need belongs to somebody else',
    remedy: 'Remove or rename that container; the message says how it differs from ours.',
  },
  not_built: {
    title: 'This build cannot do that',
    remedy: 'Use a build that can; nothing was changed.',
  },
  no_volume_root: {
    title: 'There is no place for data volumes',
    remedy: 'Set volume_data_path to a folder on btrfs, xfs or zfs.',
  },
  usage_unsupported: {
    title: 'It cannot be measured how much data there is',
    remedy: 'Set volume_data_path to a folder on btrfs, xfs or zfs.',
  },
  volume_name: {
    title: 'A lease id cannot be part of the name of a volume',
    remedy: 'Leases with data volumes need a UUID in lower case as their id.',
  },
  volume_of_another: {
    title: 'A volume of that name was made for another tenant',
    remedy:
      'Nothing was changed in it. Begin the lease with another id, or close the lease whose data it is; label and record say whose.',
  },
  volume_content: {
    title: 'What an image wants in a volume cannot be put there',
    remedy: 'Correct the VOLUME paths of the image, as the message says.',
  },
  volume_root_taken: {
    title: 'The volume root belongs to another backend, or is not the one that this backend knows',
    remedy:
      'Mount the right disk at volume_data_path, or give this backend a root of its own. When the disk is lost, take another with `docker-backend recover -new-root`; docs/guides/docker-backend-storage.md tells more.',
  },
  destruction_held: {
    title: 'Nothing is destroyed for the time being',
    remedy: 'Do what the message says, then start again.',
  },
  tls_unusable: {
    title: 'A certificate or key cannot be used',
    remedy: 'Check the tls_* paths and what is in the files.',
  },
  listen_failed: {
    title: 'The listener cannot be opened',
    remedy: 'Check listen_addr, and whether something else has the port.',
  },
  store_unusable: {
    title: 'A store file cannot be opened',
    remedy:
      'Check the path, its permissions and the space on the disk. Files of an earlier program: move all four into a folder of their own and run `docker-backend import -from` on it before the first start. A damaged file: put back a backup; docs/guides/docker-backend-kept-data.md says what is lost without one.',
  },
  store_in_use: {
    title: 'Another process has a store file open',
    remedy: 'Stop the other backend, or give this one store paths of its own.',
  },
});
