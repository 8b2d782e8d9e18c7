/**
 * What accounts may use in a minute and a day: counted by the coordinator that leads, in memory,
 * and asked of it by the others. The windows are pure; time is an argument.
 */
@NullMarked
package coop.sahkar.coordinator.limits;

import org.jspecify.annotations.NullMarked;
