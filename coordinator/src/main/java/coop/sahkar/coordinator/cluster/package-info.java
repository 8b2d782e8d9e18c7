/**
 * The coordinators as a group: who is one, who joins, who leaves, and copies of what they share.
 */
@NullMarked
package coop.sahkar.coordinator.cluster;

import org.jspecify.annotations.NullMarked;
