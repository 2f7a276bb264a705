using System.Text.Json;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class CheckpointFolderTests
{
    private const string Index = "model.safetensors.index.json";

    [Fact]
    public void Shards_are_read_as_one_checkpoint()
    {
        using TemporaryFolder folder = new();
        Write(folder["model-1-of-2.safetensors"], 1, "b", "a");
        Write(folder["model-2-of-2.safetensors"], 2, "c");
        WriteIndex(folder, ("c", "model-2-of-2.safetensors"), ("a", "model-1-of-2.safetensors"), ("b", "model-1-of-2.safetensors"));

        using Checkpoint read = Checkpoint.Open(folder.Path);

        Assert.Equal(["c", "a", "b"], read.Tensors.Select(t => t.Name));
        Assert.Equal([2, 1, 1], read.Tensors.Select(First));
        Assert.Equal(["model-1-of-2.safetensors", "model-2-of-2.safetensors"], read.Files.Select(Path.GetFileName));
        Assert.Equal((folder.Path, "safetensors", "12"), (read.Path, read.Format, read.Metadata["total_size"]));
        Assert.Empty(read.Notes);
    }

    [Fact]
    public void Tensors_that_the_index_does_not_list_are_left_out_and_noted()
    {
        using TemporaryFolder folder = new();
        Write(folder["x.safetensors"], 1, "a", "b", "stray");
        Write(folder["y.safetensors"], 2, "a", "c");
        WriteIndex(folder, ("a", "y.safetensors"), ("b", "x.safetensors"));

        using Checkpoint read = Checkpoint.Open(folder.Path);

        Assert.Equal(["a", "b"], read.Tensors.Select(t => t.Name));
        Assert.Equal([2, 1], read.Tensors.Select(First));
        Assert.Equal(["'a'", "'c'", "'stray'"], read.Notes.Select(n => n.Split(' ')[2].TrimEnd(',')).Order());
    }

    [Theory]
    [InlineData("../x.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/x.safetensors")]
    [InlineData("sub\\\\x.safetensors")]
    [InlineData("C:x.safetensors")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("x.safetensors\\u0000")]
    public void Shards_lie_in_the_folder(string shard) => CheckRefusal($$$"""{"weight_map":{"a":"{{{shard}}}"}}""", "which is not a plain file name");

    [Theory]
    [InlineData("""{"weight_map":{"a":"y.safetensors"}}""", "it names the shard 'y.safetensors', which does not exist")]
    [InlineData("""{"weight_map":{"a":"sub"}}""", "it names the shard 'sub', which does not exist")]
    [InlineData("""{"weight_map":{"z":"x.safetensors"}}""", "it says that 'z' is in x.safetensors, which has no such tensor")]
    [InlineData("""{"weight_map":{"a":"x.safetensors","a":"x.safetensors"}}""", "Duplicate")]
    [InlineData("""{"weight_map":{"a":"x.safetensors"},"weight_map":{"a":"x.safetensors"}}""", "Duplicate")]
    [InlineData("""{"weight_map":{"a":1}}""", "'a' is said to be in '1', which is not a plain file name")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""", "")]
    [InlineData("""{"weight_map":{"\ud800":"x.safetensors"}}""", "")]
    [InlineData("""{"weight_map":{}}""", "its weight_map is empty")]
    [InlineData("""{"weight_map":[]}""", "it has no object 'weight_map'")]
    [InlineData("""{}""", "it has no object 'weight_map'")]
    [InlineData("""{"metadata":{"a":1,"a":2},"weight_map":{"a":"x.safetensors"}}""", "Duplicate 'a'")]
    [InlineData("""{"weight_map":{"a":"x.safetensors"}} {}""", "")]
    [InlineData("""{"weight_map":{"a":["x.safetensors", 1]}}""", "'a' is said to be in '[\"x.safetensors\", 1]'")]
    [InlineData("""[]""", "it has no object 'weight_map'")]
    [InlineData("", "")]
    [InlineData("""{"weight_map":""", "")]
    [InlineData("""{"metadata":[[[[[[[[[[]]]]]]]]]],"weight_map":{"a":"x.safetensors"}}""", "depth")]
    public void Refuses(string index, string phrase) => CheckRefusal(index, phrase);

    [Fact]
    public void Refuses_more_than_anyone_lists()
    {
        CheckRefusal("{\"weight_map\":{" + string.Join(',', Enumerable.Range(0, 500_001).Select(i => $"\"{i}\":\"x\"")) + "}}", "it lists more than 500000 tensors");
        CheckRefusal("{\"metadata\":{" + string.Join(',', Enumerable.Range(0, 100_001).Select(i => $"\"{i}\":1")) + "}}", "it has more than 100000 metadata entries");
    }

    [Fact]
    public void A_damaged_shard_is_named_and_the_others_are_closed()
    {
        using TemporaryFolder folder = new();
        Write(folder["x.safetensors"], 1, "a");
        File.WriteAllBytes(folder["y.safetensors"], [1, 2, 3]);
        WriteIndex(folder, ("a", "x.safetensors"), ("b", "y.safetensors"));

        Assert.Contains("y.safetensors is not a valid", Assert.Throws<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message);
        File.OpenHandle(folder["x.safetensors"], FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    [Fact]
    public void One_file_goes_before_an_index_and_an_index_before_other_files()
    {
        using TemporaryFolder folder = new();
        Write(folder["other.safetensors"], 1, "a");
        Assert.Equal(1, FirstOf(folder));

        Write(folder["part.safetensors"], 2, "a");
        WriteIndex(folder, ("a", "part.safetensors"));
        Assert.Equal(2, FirstOf(folder));

        Write(folder["model.safetensors"], 3, "a");
        Assert.Equal(3, FirstOf(folder));
    }

    [Fact]
    public void An_index_of_another_name_goes_before_the_shards_that_it_lists()
    {
        using TemporaryFolder folder = new();
        Write(folder["part1.safetensors"], 1, "a");
        Write(folder["part2.safetensors"], 2, "b");
        WriteIndex(folder, ("a", "part1.safetensors"), ("b", "part2.safetensors"));
        File.Move(folder[Index], folder["diffusion.safetensors.index.json"]);
        Assert.Equal(1, FirstOf(folder));
    }

    [Fact]
    public void Several_files_without_an_index_are_named()
    {
        using TemporaryFolder folder = new();
        for (int i = 1; i <= 8; i++) Write(folder[$"m{i}.safetensors"], i, "a");
        string message = Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder.Path)).Message;
        Assert.Contains("has 8 files that end in .safetensors and no index", message);
        Assert.Contains("name one of them: m1.safetensors, m2.safetensors, m3.safetensors, m4.safetensors, m5.safetensors, m6.safetensors and 2 more", message);
    }

    [Theory, InlineData("adapter_model.safetensors"), InlineData("lora.safetensors")]
    public void A_folder_with_an_adapter_only_is_refused(string name)
    {
        using TemporaryFolder folder = new();
        Write(folder[name], 1, "a");
        File.WriteAllText(folder["adapter_config.json"], "{}");
        Assert.Contains("holds an adapter (adapter_config.json)", Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder.Path)).Message);
        using (Checkpoint alone = Checkpoint.Open(folder[name])) Assert.Single(alone.Tensors);

        Write(folder["model.safetensors"], 2, "a");
        Assert.Equal(2, FirstOf(folder));
    }

    [Fact]
    public void A_folder_without_a_checkpoint_says_what_it_has()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("it has no files", Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder.Path)).Message);
        File.WriteAllText(folder["config.json"], "{}");
        Assert.Contains("it has config.json", Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder.Path)).Message);
        Assert.Contains("does not exist", Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder["none"])).Message);
    }

    private static void CheckRefusal(string index, string phrase)
    {
        using TemporaryFolder folder = new();
        Write(folder["x.safetensors"], 1, "a");
        Directory.CreateDirectory(folder["sub"]);
        Write(Path.Combine(folder["sub"], "x.safetensors"), 1, "a");
        File.WriteAllText(folder[Index], index);
        string message = Assert.Throws<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message;
        Assert.StartsWith($"{folder[Index]} is not a valid checkpoint index: ", message);
        Assert.Contains(phrase, message);
    }

    private static float FirstOf(TemporaryFolder folder)
    {
        using Checkpoint read = Checkpoint.Open(folder.Path);
        return First(read.Tensors[0]);
    }

    private static float First(TensorEntry tensor)
    {
        byte[] bytes = new byte[4];
        tensor.Read(0, bytes);
        return BitConverter.ToSingle(bytes);
    }

    private static void Write(string path, float value, params string[] names)
    {
        using CheckpointWriter writer = new Safetensors().Create(path, [.. names.Select(n => new TensorSpec(n, DType.F32, new(1)))], new Dictionary<string, string>());
        foreach (string name in names) writer.Write(name, 0, BitConverter.GetBytes(value));
        writer.Complete();
    }

    private static void WriteIndex(TemporaryFolder folder, params (string Name, string File)[] map) =>
        File.WriteAllText(folder[Index], JsonSerializer.Serialize(new { metadata = new { total_size = 12 }, weight_map = map.ToDictionary(m => m.Name, m => m.File) }));
}
