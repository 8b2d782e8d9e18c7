/** Tests of coordinators as a group. */
@NullMarked
package coop.sahkar.coordinator.cluster;

import org.jspecify.annotations.NullMarked;
