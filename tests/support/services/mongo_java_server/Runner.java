import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** Serves mongo-java-server's in-memory backend: `java Runner HOST PORT`. */
public final class Runner {
    /** MongoDB 5.0 with its own wire version; the library announces 8 for it, which current drivers refuse. */
    private record Mongo50() implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 13;
        }
    }

    public static void main(String[] arguments) {
        MemoryBackend backend = new MemoryBackend();
        backend.version(new Mongo50());
        MongoServer server = new MongoServer(backend);
        server.bind(arguments[0], Integer.parseInt(arguments[1]));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    }
}
