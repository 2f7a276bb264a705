using Amalgam.Checkpoints;
using static Amalgam.Tests.Checkpoints.CheckpointFiles;
using static Amalgam.Tests.Checkpoints.PickleBytes;

namespace Amalgam.Tests.Checkpoints;

public class PyTorchZipTests
{
    private static readonly DType[] Storable = [DType.F64, DType.F32, DType.F16, DType.BF16, DType.I64, DType.I32, DType.I16, DType.I8, DType.U8, DType.Bool, DType.C64];

    [Theory, InlineData("a"), InlineData("b")]
    public void Reads_the_tensors_of_the_safetensors_twin(string name)
    {
        using Checkpoint twin = Checkpoint.Open(RealData.At("models", "resnet20-cifar10-halves", name + ".safetensors"));
        using Checkpoint read = Checkpoint.Open(RealData.At("models", "resnet20-cifar10-halves", name + ".pt"));
        Assert.Equal("pytorch", read.Format);
        AssertSame(twin, read);
    }

    [Fact]
    public void Reads_a_recommender()
    {
        using Checkpoint read = Checkpoint.Open(RealData.At("models", "iclrec-sequential", "ICLRec-ml-1m-1.pt"));
        Assert.Equal(36, read.Tensors.Length);
        Assert.True(read.TryFind("item_embeddings.weight", out TensorEntry? items));
        Assert.Equal(new Shape(3418, 64), items.Shape);
        foreach (TensorEntry tensor in read.Tensors) Assert.All(read.Values(tensor.Name), x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void Writes_what_it_reads() => AssertRoundTrip(new PyTorchZip(), Storable);

    [Fact]
    public void Refuses_to_write_types_without_a_storage_class()
    {
        using TemporaryFolder folder = new();
        foreach (DType dtype in DType.All.Except(Storable))
        {
            var refusal = Assert.Throws<ArgumentException>(() => new PyTorchZip().Create(folder["x.pt"], [new("w", dtype, new(8))], new Dictionary<string, string>()));
            Assert.Contains($"'w' {dtype.Name}[8] cannot be stored", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Aligns_every_tensor_to_64_bytes()
    {
        using TemporaryFolder folder = new();
        TensorSpec[] specs = [.. Enumerable.Range(1, 20).Select(i => new TensorSpec(new string('n', i), DType.U8, new(i)))];
        using (var writer = new PyTorchZip().Create(folder["x.pt"], specs, new Dictionary<string, string>())) writer.Complete();
        using Checkpoint read = Checkpoint.Open(folder["x.pt"]);
        Assert.All(read.Tensors, t => Assert.Equal(0, t.Offset % 64));
    }

    [Fact]
    public void Writes_zips_that_others_read()
    {
        using TemporaryFolder folder = new();
        using (var writer = new PyTorchZip().Create(folder["x.pt"], [new("w", DType.F32, new(3))], new Dictionary<string, string>()))
        {
            writer.Write("w", 0, Floats(3));
            writer.Complete();
        }

        using var zip = System.IO.Compression.ZipFile.OpenRead(folder["x.pt"]);
        Assert.Equal(["archive/data.pkl", "archive/byteorder", "archive/data/0", "archive/version"], zip.Entries.Select(e => e.FullName));
        Assert.Equal(Crc32.Append(0, Floats(3)), zip.GetEntry("archive/data/0")!.Crc32);
    }

    [Fact]
    public void Reads_strides_offsets_and_scalars()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(')
            .Text("transposed").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3])
            .Text("row").Tensor("FloatStorage", "0", 6, 3, [3], [1])
            .Text("scalar").Tensor("FloatStorage", "0", 6, 5, [], [])
            .Text("repeated").Tensor("FloatStorage", "0", 6, 4, [2, 3], [0, 0])
            .Text("single").Tensor("FloatStorage", "0", 6, 1, [1, 2], [77, 1])
            .Text("empty").Tensor("FloatStorage", "0", 6, 600, [0, 2], [9, 9])
            .Op('u').Stop();
        using Checkpoint read = Checkpoint.Open(Zip(folder["x.pt"], pickle, ("data/0", Floats(6))));
        Assert.Equal([0, 3, 1, 4, 2, 5], read.Values("transposed"));
        Assert.Equal([3, 4, 5], read.Values("row"));
        Assert.Equal([5], read.Values("scalar"));
        Assert.Equal([4, 4, 4, 4, 4, 4], read.Values("repeated"));
        Assert.Equal([1, 2], read.Values("single"));
        Assert.Empty(read.Values("empty"));
        Assert.Equal(["row", "scalar", "single", "empty"], read.Tensors.Where(t => t.IsDense).Select(t => t.Name));
    }

    [Fact]
    public void Says_which_tensors_share_memory()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(')
            .Text("embed").Tensor("FloatStorage", "0", 4, 0, [4], [1])
            .Text("head").Tensor("FloatStorage", "0", 4, 0, [4], [1])
            .Text("left").Tensor("FloatStorage", "1", 4, 0, [2], [1])
            .Text("right").Tensor("FloatStorage", "1", 4, 2, [2], [1])
            .Op('u').Stop();
        using Checkpoint read = Checkpoint.Open(Zip(folder["x.pt"], pickle, ("data/0", Floats(4)), ("data/1", Floats(4))));
        string note = Assert.Single(read.Notes);
        Assert.Contains("'embed', 'head' share memory", note, StringComparison.Ordinal);
    }

    [Theory, InlineData("state_dict"), InlineData("model"), InlineData("module"), InlineData("model_state_dict")]
    public void Finds_the_state_dict_of_a_training_checkpoint(string key)
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(').Text("epoch").Int(3)
            .Text("ema").Op('}').Text("w").Tensor("FloatStorage", "0", 2, 0, [2], [1]).Op('s')
            .Text(key).Op('}').Text("module.w").Tensor("FloatStorage", "0", 2, 0, [2], [1]).Op('s')
            .Op('u').Stop();
        using Checkpoint read = Checkpoint.Open(Zip(folder["x.pt"], pickle, ("data/0", Floats(2))));
        Assert.Equal("module.w", Assert.Single(read.Tensors).Name);
        Assert.Contains($"its tensors are those of its entry '{key}'", read.Notes);
        Assert.Contains("left out, as it is no tensor of the model: 'epoch' (3), 'ema' (a dict of 1 entries, tensors among them)", read.Notes);
    }

    [Fact]
    public void Reads_parameters_subclasses_and_float8()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(')
            .Text("parameter").Global("torch._utils", "_rebuild_parameter").Op('(').Tensor("HalfStorage", "0", 4, 0, [4], [1]).Op(0x88, '}', 't', 'R')
            .Text("subclass").Global("torch._tensor", "_rebuild_from_type_v2").Op('(').Global("torch._utils", "_rebuild_tensor_v2").Global("torch.nn.parameter", "Parameter")
            .Op('(').Storage("HalfStorage", "0", 4).Int(0).Op('(').Int(2).Op('t', '(').Int(1).Op('t', 0x89, '}', 't', '}', 't', 'R')
            .Text("float8").Global("torch._utils", "_rebuild_tensor_v3").Op('(').Storage("torch.storage.UntypedStorage", "1", 8).Int(0).Ints(8).Ints(1).Op(0x89, '}').Global("torch", "float8_e4m3fn").Op('t', 'R')
            .Op('u').Stop();
        using Checkpoint read = Checkpoint.Open(Zip(folder["x.pt"], pickle, ("data/0", new byte[8]), ("data/1", new byte[8])));
        Assert.Equal(["'parameter' F16[4]", "'subclass' F16[2]", "'float8' F8_E4M3[8]"], read.Tensors.Select(t => $"'{t.Name}' {t.DType}{t.Shape}"));
    }

    [Fact]
    public void Refuses_other_kinds_of_archives()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}').Stop();
        AssertRefused(Zip(folder["script.pt"], pickle, ("constants.pkl", [])), "TorchScript archive, a program");
        AssertRefused(Zip(folder["code.pt"], pickle, ("code/__torch__.py", [])), "TorchScript archive, a program");
        AssertRefused(Zip(folder["big.pt"], pickle, ("byteorder", "big"u8.ToArray())), "its byte order is 'big'");
        using (var two = ZipWriter.Create(folder["two.pt"], [new("m/data.pkl", pickle), new("n/data.pkl", pickle)])) two.Complete();
        AssertRefused(folder["two.pt"], "it has 2 files <name>/data.pkl");
        using (var zip = System.IO.Compression.ZipFile.Open(folder["deflated.pt"], System.IO.Compression.ZipArchiveMode.Create))
        using (Stream entry = zip.CreateEntry("m/data.pkl").Open()) entry.Write(new byte[1000]);
        AssertRefused(folder["deflated.pt"], "its entry 'm/data.pkl' is compressed");
        AssertRefused(Zip(folder["missing.pt"], Dict("w", p => p.Tensor("FloatStorage", "0", 2, 0, [2], [1]))), "it has no entry 'm/data/0'");
        AssertRefused(Zip(folder["short.pt"], Dict("w", p => p.Tensor("FloatStorage", "0", 2, 0, [2], [1])), ("data/0", new byte[9])), "has 9 bytes, its tensors say 8");
    }

    [Fact]
    public void Survives_random_damage()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(').Text("epoch").Int(3)
            .Text("state_dict").Op('}', '(').Text("a").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3]).Text("b").Tensor("LongStorage", "1", 1, 0, [], []).Op('u', 'q', 1)
            .Op('u').Stop();
        AssertSurvivesDamage(Zip(folder["x.pt"], pickle, ("data/0", Floats(6)), ("data/1", new byte[8]), ("byteorder", "little"u8.ToArray())), 2500);
    }
}
