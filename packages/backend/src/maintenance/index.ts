export { backupCommand, importCommand, recoverCommand } from './commands.ts';
