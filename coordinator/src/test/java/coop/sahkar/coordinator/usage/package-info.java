/** Tests of what is counted. */
@NullMarked
package coop.sahkar.coordinator.usage;

import org.jspecify.annotations.NullMarked;
