package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Consumer;

/**
 * Every placement of a small pool, and what a linear program says it can serve at most: the
 * greatest multiple of the demand for all models at once, each worker's time shared as is best. In
 * every placement a worker holds one part of a model at most; placements that are asked about may
 * have workers with several, of which a chain may use one.
 */
final class Exhaustive {
    /** In a chain a shard is its worker's number times this, and its place among its shards. */
    private static final int SHARDS = 16;

    private final PlanView view;
    private final List<List<List<AssignedShard>>> options = new ArrayList<>();

    Exhaustive(PlanView view) {
        this.view = view;
        view.workers().forEach(worker -> options.add(options(worker)));
    }

    private List<List<AssignedShard>> options(PlanWorker worker) {
        List<List<AssignedShard>> all = new ArrayList<>();
        all.add(List.of());
        for (PlanModel model : view.models()) {
            for (List<AssignedShard> some : List.copyOf(all)) {
                for (int first = 0; first < model.cuts().units(); first++) {
                    for (int end = first + 1; end <= model.cuts().units(); end++) {
                        List<AssignedShard> more = new ArrayList<>(some);
                        Span span = model.cuts().span(first, end);
                        more.add(new AssignedShard(model.id(), span, view.kvPositions()));
                        if (bytes(more) <= worker.memoryBytes()) {
                            all.add(List.copyOf(more));
                        }
                    }
                }
            }
        }
        return all;
    }

    private long bytes(List<AssignedShard> shards) {
        return shards.stream()
                .mapToLong(s -> new Costs(model(s).footprint()).bytes(s.span(), s.kvCells()))
                .sum();
    }

    private PlanModel model(AssignedShard shard) {
        return view.models().stream()
                .filter(m -> m.id().equals(shard.modelId()))
                .findFirst()
                .orElseThrow();
    }

    /** Shows every placement: the shards of each worker, in the view's order. */
    void forEach(Consumer<List<List<AssignedShard>>> seen) {
        choose(new ArrayList<>(), seen);
    }

    private void choose(List<List<AssignedShard>> begun, Consumer<List<List<AssignedShard>>> seen) {
        if (begun.size() == options.size()) {
            seen.accept(begun);
            return;
        }
        for (List<AssignedShard> option : options.get(begun.size())) {
            begun.add(option);
            choose(begun, seen);
            begun.removeLast();
        }
    }

    /** The shards of each worker, in the view's order. */
    List<List<AssignedShard>> of(SortedMap<String, List<AssignedShard>> assignments) {
        return view.workers().stream()
                .map(w -> assignments.getOrDefault(w.id(), List.of()))
                .toList();
    }

    /** The multiple of the demand that a placement serves; 0 if a model has no chain. */
    double served(List<List<AssignedShard>> placement) {
        List<int[]> chains = new ArrayList<>();
        List<Integer> models = new ArrayList<>();
        for (int m = 0; m < view.models().size(); m++) {
            int before = chains.size();
            chains(placement, m, 0, new int[0], chains);
            if (chains.size() == before) {
                return 0;
            }
            while (models.size() < chains.size()) {
                models.add(m);
            }
        }
        int workers = view.workers().size();
        double[][] a = new double[workers + view.models().size()][chains.size() + 1];
        double[] b = new double[a.length];
        for (int w = 0; w < workers; w++) {
            b[w] = 1;
        }
        for (int chain = 0; chain < chains.size(); chain++) {
            int m = models.get(chain);
            for (int shard : chains.get(chain)) {
                a[shard / SHARDS][chain + 1] = seconds(placement, shard);
            }
            a[workers + m][chain + 1] = -1;
            a[workers + m][0] = view.models().get(m).demand();
        }
        double[] c = new double[chains.size() + 1];
        c[0] = 1;
        return Simplex.most(a, b, c);
    }

    private void chains(
            List<List<AssignedShard>> placement, int m, int block, int[] begun, List<int[]> all) {
        PlanModel model = view.models().get(m);
        if (block == model.footprint().blockCount()) {
            all.add(begun);
            return;
        }
        for (int w = 0; w < placement.size(); w++) {
            int worker = w;
            boolean used = Arrays.stream(begun).anyMatch(shard -> shard / SHARDS == worker);
            for (int i = 0; i < placement.get(w).size() && !used; i++) {
                AssignedShard shard = placement.get(w).get(i);
                if (shard.modelId().equals(model.id()) && shard.span().first() == block) {
                    int[] longer = Arrays.copyOf(begun, begun.length + 1);
                    longer[begun.length] = w * SHARDS + i;
                    chains(placement, m, shard.span().end(), longer, all);
                }
            }
        }
    }

    private double seconds(List<List<AssignedShard>> placement, int shard) {
        AssignedShard used = placement.get(shard / SHARDS).get(shard % SHARDS);
        long speed = view.workers().get(shard / SHARDS).bytesPerSecond();
        return new Costs(model(used).footprint()).nanos(used.span(), speed) / 1e9;
    }

    /** Models that have a chain whichever worker goes. */
    int safe(List<List<AssignedShard>> placement) {
        int safe = 0;
        for (int m = 0; m < view.models().size(); m++) {
            safe += safe(placement, m) ? 1 : 0;
        }
        return safe;
    }

    /** Those of them of which no more is asked than the least. */
    int safeAndUnasked(List<List<AssignedShard>> placement) {
        int safe = 0;
        for (int m = 0; m < view.models().size(); m++) {
            safe += view.models().get(m).demand() == 1 && safe(placement, m) ? 1 : 0;
        }
        return safe;
    }

    private boolean safe(List<List<AssignedShard>> placement, int m) {
        for (int gone = 0; gone < placement.size(); gone++) {
            List<List<AssignedShard>> left = new ArrayList<>(placement);
            left.set(gone, List.of());
            List<int[]> chains = new ArrayList<>();
            chains(left, m, 0, new int[0], chains);
            if (chains.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** Weights that must be fetched to come from the placement in force to another. */
    long moved(List<List<AssignedShard>> placement) {
        long bytes = 0;
        for (int w = 0; w < placement.size(); w++) {
            List<AssignedShard> had = view.current().of(view.workers().get(w).id());
            for (AssignedShard shard : placement.get(w)) {
                if (!had.contains(shard)) {
                    bytes += new Costs(model(shard).footprint()).weightBytes(shard.span());
                }
            }
        }
        return bytes;
    }
}
