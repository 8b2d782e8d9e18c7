package coop.sahkar.worker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.Span;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorStoreTest {
    private static final FetchPolicy QUICK = new FetchPolicy(3, 500, 3, 1, 5, 50, 4);
    private static final StoredKey KEY = StoredKey.shard(Pieces.MODEL, new Span(0, 2));
    private static final long AMPLE = 1L << 30;

    @TempDir Path directory;

    private final Pieces.File file = Pieces.file(1, 40_000, 1, 0, 70_001, 30_000, 5_000);
    private final FakeSource source = new FakeSource("fake", file.bytes());

    private StoredFile obtain(TensorStore store) throws Exception {
        return obtain(store, KEY, file.layout(), source);
    }

    private static StoredFile obtain(
            TensorStore store, StoredKey key, ShardLayout layout, Source... sources)
            throws Exception {
        PieceFetcher fetcher = new PieceFetcher(key.modelId(), List.of(sources), QUICK);
        return store.obtain(key, layout, fetcher, FetchProgress.SILENT, new Cancellation());
    }

    private List<String> stored() throws IOException {
        try (var files = Files.list(directory.resolve(Pieces.MODEL))) {
            return files.map(Path::toString).toList();
        }
    }

    private long wanted() {
        return file.layout().pieceBytes();
    }

    @Test
    void assemblesTheFileFromItsPiecesAtTheirPlaces() throws Exception {
        TensorStore store = TensorStore.open(directory, AMPLE);
        try (StoredFile stored = obtain(store)) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
        assertThat(source.given).hasValue(wanted());
        assertThat(source.mostAtOnce.get()).isBetween(1, 3);
    }

    @Test
    void goesOnAfterAnInterruptionAndFetchesOnlyWhatIsMissing() throws Exception {
        Cancellation cancellation = new Cancellation();
        source.tripAt = wanted() / 2;
        source.onTrip = cancellation::cancel;
        PieceFetcher fetcher = new PieceFetcher(Pieces.MODEL, List.of(source), QUICK);
        assertThatThrownBy(() ->
                        TensorStore.open(directory, AMPLE)
                                .obtain(
                                        KEY,
                                        file.layout(),
                                        fetcher,
                                        FetchProgress.SILENT,
                                        cancellation))
                .isInstanceOf(CancellationException.class);
        assertThat(stored()).noneMatch(name -> name.endsWith(".gguf"));
        source.tripAt = Long.MAX_VALUE;

        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
        assertThat(source.given.get()).isEqualTo(wanted());
    }

    @Test
    void believesNothingOfAPartialFileThatItHasNotLookedAt() throws Exception {
        source.tripAt = wanted() / 2;
        Cancellation cancellation = new Cancellation();
        source.onTrip = cancellation::cancel;
        PieceFetcher fetcher = new PieceFetcher(Pieces.MODEL, List.of(source), QUICK);
        assertThatThrownBy(() ->
                        TensorStore.open(directory, AMPLE)
                                .obtain(
                                        KEY,
                                        file.layout(),
                                        fetcher,
                                        FetchProgress.SILENT,
                                        cancellation))
                .isInstanceOf(CancellationException.class);
        source.tripAt = Long.MAX_VALUE;
        Path partial = directory.resolve(Pieces.MODEL).resolve(KEY.label() + ".partial");
        // Which pieces were there when it ended is a matter of threads.
        for (ShardLayout.Placed piece : file.layout().pieces()) {
            if (piece.piece().bytes() > 3) {
                damage(partial, piece.position() + 3);
            }
        }

        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
        assertThat(source.given.get()).isGreaterThan(wanted());
    }

    @Test
    void takesACompleteFileAsItIsAfterARestart() throws Exception {
        obtain(TensorStore.open(directory, AMPLE)).close();
        source.given.set(0);
        TensorStore again = TensorStore.open(directory, AMPLE);
        assertThat(again.find(Pieces.MODEL, "t0")).isEmpty();
        obtain(again).close();
        assertThat(source.given).hasValue(0);
        assertThat(again.find(Pieces.MODEL, "t0")).isPresent();
    }

    @Test
    void fetchesADamagedTensorAgainAndOnlyThatOne() throws Exception {
        Path path;
        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            path = stored.path();
        }
        ShardLayout.Placed damaged = file.layout().pieces().get(2);
        damage(path, damaged.position() + 10);
        source.given.set(0);
        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
        assertThat(source.given).hasValue(damaged.piece().bytes());
    }

    @Test
    void repairsADamagedHeaderAndATruncatedFileWithoutFetching() throws Exception {
        Path path;
        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            path = stored.path();
        }
        damage(path, 5);
        try (RandomAccessFile access = new RandomAccessFile(path.toFile(), "rw")) {
            access.setLength(access.length() - 50);
        }
        source.given.set(0);
        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
        assertThat(source.given).hasValue(0);
    }

    private static void damage(Path path, long position) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(path.toFile(), "rw")) {
            access.seek(position);
            int old = access.read();
            access.seek(position);
            access.write(old ^ 0x55);
        }
    }

    @Test
    void startsAnewWhenTheLayoutHasChanged() throws Exception {
        obtain(TensorStore.open(directory, AMPLE)).close();
        Pieces.File other = Pieces.file(2, 500, 700);
        FakeSource otherSource = new FakeSource("other", other.bytes());
        TensorStore store = TensorStore.open(directory, AMPLE);
        try (StoredFile stored = obtain(store, KEY, other.layout(), otherSource)) {
            assertThat(Files.readAllBytes(stored.path()))
                    .isEqualTo(other.assembled(other.layout()));
        }
    }

    @Test
    void evictsTheLeastRecentlyUsedButNeverOneInUse() throws Exception {
        long one = file.layout().fileBytes();
        TensorStore store = TensorStore.open(directory, 2 * one + 10);
        StoredKey second = StoredKey.shard(Pieces.MODEL, new Span(2, 4));
        StoredKey third = StoredKey.shard(Pieces.MODEL, new Span(4, 6));
        StoredFile held = obtain(store);
        Path secondPath;
        try (StoredFile stored = obtain(store, second, file.layout(), source)) {
            secondPath = stored.path();
        }
        obtain(store, third, file.layout(), source).close();
        assertThat(held.path()).exists();
        assertThat(secondPath).doesNotExist();
        assertThat(store.usedBytes()).isEqualTo(2 * one);
        held.close();
        obtain(store, second, file.layout(), source).close();
        assertThat(held.path()).doesNotExist();
    }

    @Test
    void saysSoWhenTheStoreHasNoRoomAndLeavesWhatIsInUse() throws Exception {
        long one = file.layout().fileBytes();
        TensorStore store = TensorStore.open(directory, one + 10);
        try (StoredFile held = obtain(store)) {
            StoredKey second = StoredKey.shard(Pieces.MODEL, new Span(2, 4));
            assertThatThrownBy(() -> obtain(store, second, file.layout(), source))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("needs 1 MB of disk");
            assertThat(held.path()).exists();
            assertThat(store.usedBytes()).isEqualTo(one);
        }
    }

    @Test
    void saysSoWhenTheDiskIsFullAndGivesItsSpaceBack() throws Exception {
        TensorStore store =
                TensorStore.open(directory, AMPLE, path -> new FullDisk(path, wanted() / 2));
        assertThatThrownBy(() -> obtain(store))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("is full")
                .hasMessageContaining("Free some space");
        assertThat(stored()).isEmpty();
        try (StoredFile stored = obtain(TensorStore.open(directory, AMPLE))) {
            assertThat(stored.path()).exists();
        }
    }

    @Test
    void servesEveryCallerOfOneShardFromOneFetch() throws Exception {
        TensorStore store = TensorStore.open(directory, AMPLE);
        List<Future<StoredFile>> callers = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 8; i++) {
                callers.add(threads.submit(() -> obtain(store)));
            }
        }
        for (Future<StoredFile> caller : callers) {
            caller.get().close();
        }
        assertThat(source.given).hasValue(wanted());
    }

    @Test
    void takesWhatANeighbouringShardHasFromTheDisk() throws Exception {
        TensorStore store = TensorStore.open(directory, AMPLE);
        obtain(store).close();
        source.given.set(0);
        StoredKey wider = StoredKey.shard(Pieces.MODEL, new Span(0, 3));
        try (StoredFile stored =
                obtain(store, wider, file.layout(), new LocalSource(store), source)) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
        assertThat(source.given).hasValue(0);
    }

    @Test
    void reportsProgressUpToTheWhole() throws Exception {
        TensorStore store = TensorStore.open(directory, AMPLE);
        List<Long> seen = java.util.Collections.synchronizedList(new ArrayList<>());
        PieceFetcher fetcher = new PieceFetcher(Pieces.MODEL, List.of(source), QUICK);
        store.obtain(
                        KEY,
                        file.layout(),
                        fetcher,
                        (done, total) -> {
                            assertThat(total).isEqualTo(wanted());
                            seen.add(done);
                        },
                        new Cancellation())
                .close();
        assertThat(seen).hasSizeGreaterThan(10).last().isEqualTo(wanted());
    }
}
