/**
 * The {@code sahkar} command: one class per subcommand, and what they share (settings, logging,
 * exit codes). {@link coop.sahkar.deploy.cli.Sahkar} is the entry.
 */
@NullMarked
package coop.sahkar.deploy.cli;

import org.jspecify.annotations.NullMarked;
