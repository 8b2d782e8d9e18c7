/**
 * How commands, snapshots and manifests are written as bytes; the only place here that knows their
 * schema.
 */
@NullMarked
package coop.sahkar.coordinator.log;

import org.jspecify.annotations.NullMarked;
