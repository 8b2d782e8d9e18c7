/**
 * Which worker should serve which span: a pure planner, and the loop that has its plans adopted.
 */
@NullMarked
package coop.sahkar.coordinator.placement;

import org.jspecify.annotations.NullMarked;
