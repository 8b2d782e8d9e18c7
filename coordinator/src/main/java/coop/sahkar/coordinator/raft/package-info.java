/** The replicated log. Apache Ratis is imported here and nowhere else. */
@NullMarked
package coop.sahkar.coordinator.raft;

import org.jspecify.annotations.NullMarked;
