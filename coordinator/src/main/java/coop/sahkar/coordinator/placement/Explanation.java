package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.routing.Coverage;
import coop.sahkar.proto.Span;
import java.util.List;
import java.util.Locale;

/** Says why a model cannot be placed, in a sentence a person can act on. */
final class Explanation {
    private static final long KILO = 1000;
    private static final long MEGA = 1_000_000;
    private static final long GIGA = 1_000_000_000;

    private Explanation() {}

    /**
     * @param here the workers, with what other models have left of them
     * @param kvCells the fewest KV positions worth placing it for
     */
    static String of(Holding holding, List<Load> here, int kvCells) {
        PlanModel model = holding.model();
        if (here.isEmpty()) {
            return "%s waits for workers: none is here. Start one with \"sahkar worker\"."
                    .formatted(model.name());
        }
        List<Load> able = here.stream().filter(load -> load.canLoad(model)).toList();
        if (able.isEmpty()) {
            return "%s needs llama.cpp %s or newer, which no worker here has. Start one with \"sahkar worker --llama DIR\"."
                    .formatted(model.name(), model.oldestRelease().title());
        }
        List<Span> lost = holding.unobtainable();
        if (!lost.isEmpty()) {
            return "%s waits for workers that hold %s: no worker here serves them and no publisher offers them. Start those workers again, or publish the file again."
                    .formatted(model.name(), Coverage.inWords(lost));
        }
        String shortfall = memory(holding, able, kvCells);
        return able.size() == here.size()
                ? shortfall
                : "%s Of %d workers, %d have a llama.cpp older than %s and cannot load it."
                        .formatted(
                                shortfall,
                                here.size(),
                                here.size() - able.size(),
                                model.oldestRelease().title());
    }

    private static String memory(Holding holding, List<Load> loads, int kvCells) {
        PlanModel model = holding.model();
        Span all = new Span(0, holding.blocks());
        int stages = Math.min(loads.size(), model.cuts().units());
        long needed =
                holding.costs().bytes(all, kvCells)
                        + (stages - 1) * holding.costs().bufferBytes(false, kvCells);
        long free = loads.stream().mapToLong(l -> Math.max(0, l.freeBytes())).sum();
        if (free < needed) {
            return "%s needs %s more memory: it takes %s, and %s. Lend more, or start another worker."
                    .formatted(model.name(), size(needed - free), size(needed), lent(loads, free));
        }
        long largest = loads.stream().mapToLong(Load::freeBytes).max().orElse(0);
        return ("%s does not fit: it takes %s and there is %s in all, but in pieces too "
                        + "small for its %d-block cuts (the largest is %s). Lend more memory on one worker.")
                .formatted(
                        model.name(),
                        size(needed),
                        size(free),
                        model.cuts().grain(),
                        size(largest));
    }

    private static String lent(List<Load> loads, long free) {
        long lent = loads.stream().mapToLong(Load::memoryBytes).sum();
        String workers = loads.size() == 1 ? "1 worker lends" : loads.size() + " workers lend";
        String rest = lent == free ? "" : " of which other models leave " + size(free);
        return workers + " " + size(lent) + rest;
    }

    /** Bytes as people read them, rounded up. */
    static String size(long bytes) {
        if (bytes >= GIGA) {
            return String.format(Locale.ROOT, "%.1f GB", (double) bytes / GIGA);
        }
        if (bytes >= MEGA) {
            return Math.ceilDiv(bytes, MEGA) + " MB";
        }
        return Math.ceilDiv(bytes, KILO) + " kB";
    }
}
