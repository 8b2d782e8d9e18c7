/**
 * What a crash leaves behind: processes are stopped before each change they make to the file
 * system, and what lies on the disk then is what the code of production has to cope with.
 */
@NullMarked
package coop.sahkar.coordinator.crash;

import org.jspecify.annotations.NullMarked;
