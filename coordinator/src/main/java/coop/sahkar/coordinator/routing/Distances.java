package coop.sahkar.coordinator.routing;

/** How far stages are from each other, as far as is known. */
@FunctionalInterface
public interface Distances {
    /** Nobody measured anything: all are equally near. */
    Distances NONE = (from, to) -> 0;

    /** What a way that was tried and did not work costs: taken only where there is no other. */
    long UNREACHABLE_MICROS = 30_000_000;

    /** One way from one worker to another, in microseconds. */
    long micros(StageOffer from, StageOffer to);
}
