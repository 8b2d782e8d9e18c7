package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.Arrays;
import java.util.List;

/**
 * Who holds what of a few models on a few workers, as numbers that a search can change quickly.
 *
 * <p>Each model is cut at a grid of places; a worker holds the part between two places of a model,
 * or nothing of it.
 */
final class Layout {
    /** Rounds in which workers shift their time to the models that fare worst. */
    private static final int SHARING_ROUNDS = 6;

    /** How much it counts against a layout that a model has a further stage. */
    private static final double STAGE_PRICE = 0.02;

    /** What a model counts for that has no chain. */
    private static final double UNCOVERED = -100;

    /**
     * What it counts for that all models outlive any loss and get what is asked: above all else.
     */
    private static final double SAFE = 10;

    /**
     * The part of what is asked that is as good as all of it: demand is told in steps of four, and
     * workers' time is shared out more cleverly than here.
     */
    private static final double ENOUGH = 0.5;

    /** How much each worker counts against a layout without whom a model has no chain. */
    private static final double INDISPENSABLE_PRICE = 0.02;

    /**
     * The same for the only head of a model in parts: second holders of other parts can be had from
     * workers that hold one already, but a head must do without them.
     */
    private static final double ONLY_HEAD_PRICE = 2;

    private final List<Holding> models;
    private final List<Load> loads;
    private final long[] memory;
    private final int[] kvCells;
    private final double fetchPrice;
    private final long allBytes;

    /** By model: the blocks where it is cut, first and last included. */
    private final int[][] grids;

    /** By worker and model: first and end place; -1 for nothing. */
    private final int[][] firsts;

    private final int[][] ends;

    /**
     * What a layout is made for: workers with what other models leave them.
     *
     * @param fetchPrice how much it counts against a layout that all weights of the models are
     *     fetched once
     */
    Layout(
            List<Holding> models,
            List<Load> loads,
            long[] memory,
            int[] kvCells,
            double fetchPrice) {
        this.fetchPrice = fetchPrice;
        this.models = models;
        this.loads = loads;
        this.memory = memory;
        this.kvCells = kvCells;
        this.grids = new int[models.size()][];
        this.firsts = new int[loads.size()][models.size()];
        this.ends = new int[loads.size()][models.size()];
        long bytes = 0;
        for (Holding model : models) {
            bytes += model.costs().weightBytes(new Span(0, model.blocks()));
        }
        this.allBytes = bytes;
        for (int load = 0; load < loads.size(); load++) {
            clear(load);
        }
    }

    /** A copy to be changed. */
    Layout copy() {
        return priced(fetchPrice);
    }

    /** A copy in which what is fetched counts otherwise. */
    Layout priced(double otherFetchPrice) {
        Layout copy = new Layout(models, loads, memory, kvCells, otherFetchPrice);
        copy.set(this);
        return copy;
    }

    /** Takes over what another of the same pool says. */
    void set(Layout other) {
        for (int model = 0; model < grids.length; model++) {
            grids[model] = other.grids[model];
        }
        for (int load = 0; load < firsts.length; load++) {
            System.arraycopy(other.firsts[load], 0, firsts[load], 0, grids.length);
            System.arraycopy(other.ends[load], 0, ends[load], 0, grids.length);
        }
    }

    /** What one worker holds, to be given back to {@link #setRow}. */
    int[][] row(int load) {
        return new int[][] {firsts[load].clone(), ends[load].clone()};
    }

    /** Has a worker hold what it held. */
    void setRow(int load, int[][] row) {
        firsts[load] = row[0];
        ends[load] = row[1];
    }

    int places(int model) {
        return grids[model].length - 1;
    }

    /** Cuts a model anew; nobody holds anything of it then. */
    void cut(int model, int[] grid) {
        grids[model] = grid;
        for (int load = 0; load < firsts.length; load++) {
            firsts[load][model] = -1;
        }
    }

    /** Takes everything from a worker. */
    void clear(int load) {
        Arrays.fill(firsts[load], -1);
    }

    /** Gives a worker a part of a model instead of what it had of it; first -1 for nothing. */
    void give(int load, int model, int first, int end) {
        firsts[load][model] = first;
        ends[load][model] = end;
    }

    boolean holds(int load, int model) {
        return firsts[load][model] >= 0;
    }

    boolean holdsExactly(int load, int model, int first, int end) {
        return firsts[load][model] == first && (first < 0 || ends[load][model] == end);
    }

    /** What a worker holds of a model. */
    Span span(int load, int model) {
        return span(model, firsts[load][model], ends[load][model]);
    }

    Span span(int model, int first, int end) {
        return new Span(grids[model][first], grids[model][end]);
    }

    int kvCells(int model) {
        return kvCells[model];
    }

    /** Exchanges all that two workers hold. */
    void swap(int one, int other) {
        int[] first = firsts[one];
        firsts[one] = firsts[other];
        firsts[other] = first;
        int[] end = ends[one];
        ends[one] = ends[other];
        ends[other] = end;
    }

    /** Whether a worker may hold what it does. */
    boolean allowed(int load) {
        long free = memory[load];
        for (int m = 0; m < grids.length; m++) {
            if (firsts[load][m] >= 0) {
                Span span = span(load, m);
                Holding model = models.get(m);
                boolean stands = stands(load, m, span);
                free -= model.costs().bytes(span, kvCells[m]);
                boolean takes = loads.get(load).takes(model, span) && model.obtainable(span);
                if (free < 0 || !(stands || takes)) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean stands(int load, int m, Span span) {
        Shard own = loads.get(load).of(models.get(m));
        return own != null && own.span().equals(span) && own.kvCells() == kvCells[m];
    }

    /**
     * How good it is; a difference of 0.1 is a tenth in throughput. Models that get what is asked
     * of them and outlive the loss of any worker count above all; then what the model that fares
     * worst gets, and all models together a little; more stages and bytes to be fetched count
     * against.
     */
    double score() {
        double[][] time = evenTime();
        double best = -Double.MAX_VALUE;
        double[] bestGets = new double[grids.length];
        for (int round = 0; round < SHARING_ROUNDS; round++) {
            double[] gets = new double[grids.length];
            double sum = 0;
            double worst = Double.MAX_VALUE;
            for (int model = 0; model < gets.length; model++) {
                gets[model] = perDemand(model, time);
                double value = gets[model] > 0 ? Math.log(gets[model]) : uncovered(model);
                sum += value;
                worst = Math.min(worst, value);
            }
            double value = 0.9 * worst + 0.1 * sum / gets.length;
            if (value > best) {
                best = value;
                bestGets = gets;
            }
            if (!shift(time, gets)) {
                break;
            }
        }
        return best + safety(bestGets) - price();
    }

    private double safety(double[] gets) {
        double safety = 0;
        for (int m = 0; m < gets.length; m++) {
            if (gets[m] > 0) {
                int count = indispensable(m);
                boolean served = gets[m] >= ENOUGH || unasked(m);
                safety += count == 0 && served ? SAFE / gets.length : 0;
                double price = INDISPENSABLE_PRICE * count;
                price += inParts(m) && heads(m) == 1 ? ONLY_HEAD_PRICE : 0;
                safety -= price / gets.length;
            }
        }
        return safety;
    }

    /** Whether no more is asked of a model than the least that is told apart. */
    private boolean unasked(int model) {
        return models.get(model).model().demand() <= 1;
    }

    /** Whether every model has a chain whoever goes. */
    boolean safe() {
        for (int m = 0; m < grids.length; m++) {
            int[] column = column(firsts, m);
            boolean held = Arrays.stream(column).anyMatch(first -> first >= 0);
            if (!held || indispensable(m) > 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether each worker holds exactly one of a number of parts. */
    private boolean inParts(int model) {
        return models.get(model).model().minStages() > 1;
    }

    private int heads(int model) {
        return (int) Arrays.stream(column(firsts, model)).filter(first -> first == 0).count();
    }

    private int indispensable(int model) {
        return Redundancy.indispensable(column(firsts, model), column(ends, model), places(model));
    }

    private static int[] column(int[][] rows, int model) {
        int[] column = new int[rows.length];
        for (int load = 0; load < rows.length; load++) {
            column[load] = rows[load][model];
        }
        return column;
    }

    /** No layout scores more: every worker does nothing but compute what is asked for. */
    double bound() {
        double perSecond = 0;
        for (Load load : loads) {
            double nanos = 0;
            for (Holding model : models) {
                Span whole = new Span(0, model.blocks());
                nanos +=
                        (double) model.model().demand()
                                * model.costs().nanos(whole, load.bytesPerSecond());
            }
            perSecond += 1e9 / nanos;
        }
        // All models together count a tenth: one may get up to all there is.
        return Math.log(perSecond) + 0.1 * Math.log(models.size()) + mostSafety();
    }

    private double mostSafety() {
        double most = 0;
        for (Holding model : models) {
            PlanModel asked = model.model();
            long once = model.costs().weightBytes(new Span(0, model.blocks()));
            long room = 0;
            int able = 0;
            for (Load load : loads) {
                if (load.canLoad(asked)) {
                    able++;
                    room += Math.min(memory[load.index()], once);
                }
            }
            boolean parts = asked.minStages() > 1;
            int stages = parts ? ChainFinder.leastStages(asked, able) : 1;
            most += able >= 2 * stages && room >= 2 * once ? SAFE / models.size() : 0;
        }
        return most;
    }

    /** The more of a model is held, the nearer it is to a chain. */
    private double uncovered(int model) {
        int held = 0;
        for (int place = 0; place < places(model); place++) {
            boolean here = false;
            for (int load = 0; load < firsts.length; load++) {
                here |=
                        firsts[load][model] >= 0
                                && firsts[load][model] <= place
                                && place < ends[load][model];
            }
            held += here ? 1 : 0;
        }
        return UNCOVERED * (1 - 0.5 * held / places(model));
    }

    private double price() {
        double stages = 0;
        for (int model = 0; model < grids.length; model++) {
            stages += cutsUsed(model);
        }
        return STAGE_PRICE * stages / grids.length
                + fetchPrice * ((double) fetchedBytes() / Math.max(1, allBytes));
    }

    /** Places between the ends of a model at which a part of it that is held begins. */
    private int cutsUsed(int model) {
        boolean[] used = new boolean[places(model) + 1];
        int cuts = 0;
        for (int[] first : firsts) {
            int place = first[model];
            cuts += place > 0 && !used[place] ? 1 : 0;
            if (place > 0) {
                used[place] = true;
            }
        }
        return cuts;
    }

    /** Cuts a model more finely, and leaves everybody what they have. */
    boolean recut(int model, int[] grid) {
        for (int load = 0; load < firsts.length; load++) {
            if (firsts[load][model] >= 0) {
                Span span = span(load, model);
                int first = Arrays.binarySearch(grid, span.first());
                int end = Arrays.binarySearch(grid, span.end());
                if (first < 0 || end < 0) {
                    return false;
                }
                firsts[load][model] = first;
                ends[load][model] = end;
            }
        }
        grids[model] = grid;
        return true;
    }

    /** Weights to be fetched for it. */
    long fetchedBytes() {
        long bytes = 0;
        for (int load = 0; load < firsts.length; load++) {
            for (int m = 0; m < grids.length; m++) {
                if (firsts[load][m] >= 0 && !stands(load, m, span(load, m))) {
                    bytes += models.get(m).costs().weightBytes(span(load, m));
                }
            }
        }
        return bytes;
    }

    private double[][] evenTime() {
        double[][] time = new double[firsts.length][grids.length];
        for (int load = 0; load < firsts.length; load++) {
            for (int m = 0; m < grids.length; m++) {
                time[load][m] =
                        firsts[load][m] < 0
                                ? 0
                                : (double) nanos(load, m) * models.get(m).model().demand();
            }
            normalize(time[load]);
        }
        return time;
    }

    private long nanos(int load, int m) {
        return models.get(m).costs().nanos(span(load, m), loads.get(load).bytesPerSecond());
    }

    private double perDemand(int m, double[][] time) {
        int last = places(m);
        double[][] rates = new double[last + 1][last + 1];
        for (int load = 0; load < firsts.length; load++) {
            if (firsts[load][m] >= 0) {
                rates[firsts[load][m]][ends[load][m]] += 1e9 * time[load][m] / nanos(load, m);
            }
        }
        return Flow.most(rates) / models.get(m).model().demand();
    }

    /** Gives more of each worker's time to models that fare badly; whether anybody has a choice. */
    private boolean shift(double[][] time, double[] gets) {
        boolean choice = false;
        for (double[] shares : time) {
            int held = 0;
            for (int m = 0; m < shares.length; m++) {
                held += shares[m] > 0 ? 1 : 0;
                shares[m] /= Math.max(1e-9, gets[m]);
            }
            choice |= held > 1;
            normalize(shares);
        }
        return choice;
    }

    private static void normalize(double[] shares) {
        double sum = 0;
        for (double share : shares) {
            sum += share;
        }
        for (int i = 0; i < shares.length && sum > 0; i++) {
            shares[i] /= sum;
        }
    }
}
